"""The pages for people. The server renders them whole, so they work without JavaScript.

    register --> views --numbers--> now_page, history_page --> site_days, heat_map, counter_health, plain_csv
                       --charts---> charts/
                       --texts----> language, translations/
                       --> templates/, static/      one style sheet, one script that refreshes every second

Law: pages load nothing from other hosts and write nothing. See docs/decisions.md, "The pages".
"""
