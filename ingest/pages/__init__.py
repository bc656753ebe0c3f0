"""The pages people look at, served by ingest itself: made on the server, so that they work without a script.

    mount --> views --figures---> now, history, figures, doors, deliveries_page
                    --pictures--> charts, svg
                    --texts-----> language, translations/
                    --> templates/, static/      one style sheet, one script that asks again every second

Law: no request leaves the machine, and nothing here writes. See docs/decisions.md, "The pages".
"""
